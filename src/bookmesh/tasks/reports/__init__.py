"""
Results as text, JSON, JUnit XML, GitHub annotations and one HTML page.

Pure functions from `records.Result` to a string; nothing here runs anything. The command line imports it.
"""
