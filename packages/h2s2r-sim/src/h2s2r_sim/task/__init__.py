"""Tasks: made from a demonstration, or read from files.

In:  nouns, or the name of a task.   Out: ``TaskSpec``.
Not here: the simulation of a task (scene, env).
"""

from h2s2r_sim.task.anchors import anchor_points
from h2s2r_sim.task.files import load_task, read_object, task_names
from h2s2r_sim.task.human_hand import HandShape, place_hand
from h2s2r_sim.task.make import TaskCfg, make_task, reexpressed
from h2s2r_sim.task.place import Placed, place
from h2s2r_sim.task.reference import ReferenceCfg, make_reference

__all__ = [
    "HandShape",
    "Placed",
    "ReferenceCfg",
    "TaskCfg",
    "anchor_points",
    "load_task",
    "make_reference",
    "make_task",
    "place",
    "place_hand",
    "read_object",
    "reexpressed",
    "task_names",
]
