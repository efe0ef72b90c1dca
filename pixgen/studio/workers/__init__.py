"""Workers: devices that paint. Each has one thread, which takes a job from the queue, paints it and takes the next.

Jobs and workers come in; painted runs go out. ``base`` is the interface, ``local`` a device of this process, and
``pixgen.cluster`` has workers on other machines."""
