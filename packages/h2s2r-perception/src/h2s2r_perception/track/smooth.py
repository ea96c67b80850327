"""Less noise in a path of poses, without rounding off where motion begins, ends or is fast.

In:  times, poses, which frames are lost.   Out: poses of the same frames.
Not here: filling lost frames: they stay lost.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.se3 import SE3

#: [s] standard deviation in time of the neighbours that count.
_TIME = 0.1
#: [m], [rad] standard deviation of neighbours that count as the same pose but for noise.
_PLACE, _TURN = 0.002, float(np.deg2rad(1.5))


def smooth_path(time: np.ndarray, Ts_camera_object: SE3, lost: np.ndarray) -> SE3:
    """(T) poses, each the mean of its neighbours in time that differ from it by no more than noise (a bilateral filter).

    Args:
        time: (T) [s], growing.
        Ts_camera_object: (T) poses; NaN where lost.
        lost: (T) whether the frame is lost; it neither changes nor counts.
    """
    smoothed = np.array(Ts_camera_object.wxyz_xyz)
    for index in np.flatnonzero(~lost):
        near = np.flatnonzero((np.abs(time - time[index]) <= 3 * _TIME) & ~lost)
        T_camera_object = Ts_camera_object[int(index)]
        apart = (T_camera_object.inv() @ Ts_camera_object[near]).log()
        weight = np.exp(
            -0.5 * ((time[near] - time[index]) / _TIME) ** 2
            - 0.5 * (apart[:, :3] ** 2).sum(axis=1) / _PLACE**2
            - 0.5 * (apart[:, 3:] ** 2).sum(axis=1) / _TURN**2
        )
        # Neighbours on one side alone would pull a pose in motion that way: each side counts for as much.
        before, after = weight * (near < index), weight * (near > index)
        both = min(before.sum(), after.sum())
        balanced = (near == index) * 1.0
        for side in (before, after):
            if both > 0:
                balanced = balanced + side * (both / side.sum())
        smoothed[index] = (T_camera_object @ SE3.exp(balanced @ apart / balanced.sum())).wxyz_xyz
    return SE3(smoothed)
