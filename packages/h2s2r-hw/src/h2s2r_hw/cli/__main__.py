"""``python -m h2s2r_hw.cli``.

In:  the command line.   Out: the exit code.
Not here: anything else (app).
"""

import sys

from h2s2r_hw.cli.app import main

sys.exit(main())
