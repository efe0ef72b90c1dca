"""Values of a recipe that change over time, and what is done to the picture while it is painted.

In come texts such as ``1 + 0.02*sin(t)`` and the settings of filters. Out come numbers at a frame, and validated
values; nothing here loads torch.
"""
