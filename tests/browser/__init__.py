"""Tests of the page in a browser. A package, so only these tests share the stack."""
