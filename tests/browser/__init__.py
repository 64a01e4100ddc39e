"""What people do in a browser.

This folder is a package so that pytest can close the browser after the last test in it: while Playwright's
synchronous API is in use, an event loop counts as running in this thread, and tests elsewhere start their own.
"""
