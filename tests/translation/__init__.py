"""Tests of pixgen.translation."""
