"""How fast Frontdesk is, and how small, beside a Bolt app that does nothing: python -m benchmarks."""
