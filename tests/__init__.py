"""Tests of the plugin and of the fake, each against strangers."""
