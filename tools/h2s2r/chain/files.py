"""Names of the files that stages leave, by whoever reads them.

In:  nothing.   Out: names.
Not here: writing them (seeing, learning).
"""

from __future__ import annotations

#: Of the stages that look at the recording.
OBJECT, PATH, HAND, SCENE, HAND_POSE = "object.h2s", "path.h2s", "hand.h2s", "scene.h2s", "hand_pose.h2s"
#: Which instant was taken, and why.
PREMANIP = "premanip.json"
#: Where the mirror stood, if the demonstration was mirrored.
MIRROR = "mirror.json"
#: Of the stages that learn.
TASK, CURVE, EVALUATION, FILM = "task.h2s", "curve.jsonl", "evaluation.json", "robot.mp4"
#: From the recording's world to the task's: they differ where the camera's place was not measured.
PLACE = "place.json"
#: What the filmed episodes were, state by state.
EPISODES = "episodes.npz"
#: Of the rehearsal: its figures, why there are none, its film.
REHEARSAL, NO_REHEARSAL, REHEARSAL_FILM = "rehearsal.json", "no_rehearsal.txt", "rehearsal.mp4"
#: In the folder of all stages: what was asked for.
RUN = "run.json"
