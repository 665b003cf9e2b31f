"""`partyline up` and `partyline down`: the deployment and the Telnyx account in one command."""
