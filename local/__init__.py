"""Everything that runs on a laptop and is never deployed: the gateway, an AWS and a Telnyx."""
