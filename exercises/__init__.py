"""Exercises in property-based testing that grade themselves.

A learner's test file is run against right variants of the project, which it must accept, and
against defective ones, which it should catch.  `ladder/` holds the exercises, as data; the modules
here know how to change the source of a module before it is imported, run a test file against it in
a process of its own, and say what the results mean.

A learning aid, not a sealed exam: everything, hidden defects included, lies open in this folder.
"""
