"""What the node tells Prometheus about itself and its workers."""

from .registry import CONTENT_TYPE, Metrics

__all__ = ["CONTENT_TYPE", "Metrics"]
