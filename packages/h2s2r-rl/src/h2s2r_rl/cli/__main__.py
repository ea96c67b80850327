"""``python -m h2s2r_rl.cli``.

In:  the command line.   Out: the exit status.
Not here: anything else (app).
"""

import sys

from h2s2r_rl.cli import main

sys.exit(main())
