"""Operators that the tests run as their authors would."""
