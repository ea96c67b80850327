"""Eyes: episodes as an MP4 without a display, or in the browser (extra ``view``).

In:  task, embodiment, recorded states.   Out: MP4 files, pictures, a viser server.
Not here: physics, and what is made of the states (env, h2s2r-rl).

Pictures need OpenGL without a display (EGL or OSMesa); where there is neither, ``NoGraphicsError`` says what to install.
"""

from h2s2r_sim.view.browser import Viewer
from h2s2r_sim.view.episodes import EpisodeRecorder, EpisodeStates, record_episodes, task_episode
from h2s2r_sim.view.extra import NoGraphicsError
from h2s2r_sim.view.film import DRAFT, FilmCfg, Progress, picture, save_film
from h2s2r_sim.view.offscreen import offscreen_backend

__all__ = [
    "DRAFT",
    "EpisodeRecorder",
    "EpisodeStates",
    "FilmCfg",
    "NoGraphicsError",
    "Progress",
    "Viewer",
    "offscreen_backend",
    "picture",
    "record_episodes",
    "save_film",
    "task_episode",
]
