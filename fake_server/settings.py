"""What a fake server can be told, and what it does untold: the command and Python share it.

This module imports nothing, so that the command's help costs no server.
"""

CONTRACTS = ("documented", "observed")
CLOCKS = ("fixed", "real")
DEFAULT_MAX_BODY = 1024**3
