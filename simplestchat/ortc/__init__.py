"""RTP capabilities and parameters in the shapes of mediasoup-client, and their translation for the media plane.

Clients keep their own payload types and header extension ids: a producer's are the publisher's, a consumer's are the
subscriber's. ``ROUTER_CAPABILITIES`` only says what can be negotiated.
"""

from simplestchat.ortc.capabilities import ROUTER_CAPABILITIES
from simplestchat.ortc.consuming import Consumption, consume
from simplestchat.ortc.parameters import RtpCapabilities, RtpParameters
from simplestchat.ortc.producing import Production, produce

__all__ = [
    "ROUTER_CAPABILITIES",
    "Consumption",
    "Production",
    "RtpCapabilities",
    "RtpParameters",
    "consume",
    "produce",
]
