"""Work for processes of their own, which import it from here."""

from h2s2r_rl.experiment import Result, Score
from h2s2r_schemas.errors import SchemaError


def fake_work(job, folder):
    """A job that takes no time; that with seed 13 fails."""
    if job.seed == 13:
        raise SchemaError("unlucky")
    scores = {level: Score(100, count, {"stuck": 100 - count}, 7) for level, count in (("standard", 90), ("paper", 50))}
    return Result(job, scores, "h2s2r-rl …", "a machine", "now")
