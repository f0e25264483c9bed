"""Frontdesk without Slack: a faithful stand-in for Slack's Web API and Socket Mode."""

from .slack import Slack

__all__ = ["Slack"]
