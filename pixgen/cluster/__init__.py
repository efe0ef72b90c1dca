"""Workers on several devices and machines, by Ray (``pip install 'pixgen[cluster]'``).

The address of a cluster and a studio's jobs come in. Workers for ``Studio(workers=…)`` go out, one for each device, and
frames, which the studio records like those of local devices. Nothing else in pixgen imports Ray."""

import os

# A call on a connection that has ended must fail, not start another cluster. Ray reads it when it is imported.
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
# Ray Client's gRPC would write a line for every process that is started beside it, such as ffmpeg.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
