"""Generated histories of conversations whose transcript must equal what was said."""
