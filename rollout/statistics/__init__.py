"""Pure arithmetic of experiments: counts in, frozen values out; nothing here knows the web.

Undefined statistics come out as :class:`~rollout.statistics.estimates.NotEnough`, never as NaN,
0 or 1, so that no caller can read missing evidence as a pass.
"""
