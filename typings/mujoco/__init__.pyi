# mujoco is compiled and ships no types that pyright can read: every attribute is taken as it is.
from typing import Any

def __getattr__(name: str) -> Any: ...
