"""Adapters: one small module for each protocol a laboratory speaks."""
