"""Ways to fill a schema without a tuned model: what tuning has to beat.

Each method is fitted on labelled training documents alone and then answers like an `Extractor`, so
that one evaluation scores them all: `nothing` and `nearest` show what a corpus gives away for free,
`induced` learns rules from the labels, `written` takes rules of the user, `routed` joins methods
field by field.
"""

from __future__ import annotations

from training.methods.known import Answer, Known, read_known
from training.methods.nearest import Nearest, Nothing

__all__ = ["Answer", "Known", "Nearest", "Nothing", "read_known"]
