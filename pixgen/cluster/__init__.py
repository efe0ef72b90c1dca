"""Workers on several devices and machines, by Ray (``pip install 'pixgen[cluster]'``).

The address of a cluster comes in, and a studio's jobs. Workers for ``Studio(workers=…)`` go out, one for each device,
and frames, which the studio records as those of its own devices. Nothing else in pixgen imports Ray."""
