"""What the tests share lies beside them.

In:  nothing.   Out: a path to import from.
Not here: the shared parts themselves (jobs_for_tests).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
