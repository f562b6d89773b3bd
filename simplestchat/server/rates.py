"""How often one address may ask."""

from __future__ import annotations

from simplestchat.signaling import rates

from .admission import site


class Rates(rates.Rates):
    """Rates by address; what counts as one address, ``site`` says."""

    def take(self, address: str, cost: float = 1) -> float:
        """Return 0 when the request may go on, else after how many seconds it might."""
        return super().take(site(address), cost)
