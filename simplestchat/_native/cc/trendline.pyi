"""The slope of the delay: no Python names, C functions only (see ``_native/cc/trendline.pxd``)."""
