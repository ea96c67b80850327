"""Libraries that come with the extra ``view``, loaded when they are used.

In:  the name of a module.   Out: the module, or one error that says what to install.
Not here: OpenGL, which no package brings (offscreen).
"""

from __future__ import annotations

import importlib
from typing import Any

from h2s2r_schemas.errors import H2S2RError


class NoGraphicsError(H2S2RError):
    """Nothing can be shown on this machine; the message says what to install. Everything else works without."""


def extra_module(name: str) -> Any:
    """The module ``name``.

    Raises:
        NoGraphicsError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NoGraphicsError(
            f"Nothing can be shown without {name.partition('.')[0]}, which is not installed: pip install 'h2s2r-sim[view]'."
        ) from error
