"""Parity: does a runtime compute the same network as the simulation in torch?"""
