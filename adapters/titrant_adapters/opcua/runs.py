"""What an OPC UA device shows of its runs."""

from __future__ import annotations

from titrant.errors import RunnerError
from titrant_adapters.opcua.config import KEY, OpcUaConfig
from titrant_adapters.opcua.line import OpcUaLine


async def place_of(line: OpcUaLine, config: OpcUaConfig, job: str) -> str | None:
    """Where a run stands; None where the device shows none by that name."""
    results = config.at(config.results)
    if config.results:
        return await line.find(results, config.job, job)
    return results if await line.seen(f"{results}/{config.job}") == job else None


async def data_of(line: OpcUaLine, config: OpcUaConfig, job: str) -> dict[str, float] | None:
    """The data of a run, or None while there are none.

    Raises:
        RunnerError: It did not end well.
    """
    place = await place_of(line, config, job)
    state = await line.seen(f"{place}/{config.state}") if place is not None else None
    if state is None or str(state) in config.running:
        return None
    if config.done and str(state) not in config.done:
        why = f": {await line.read(f'{place}/{config.reason}')}" if config.reason else ""
        raise RunnerError(f"the run ended as {state!r}{why}")
    return {name: await line.read(f"{place}/{path}") for name, path in config.measure.items()}


async def stop(line: OpcUaLine, config: OpcUaConfig, job: str) -> str:
    """End a run; in the same exchange in which it is seen to go on, so that no other is stopped.

    Returns:
        Why it was not told to; empty where it was.
    """
    place = await place_of(line, config, job)
    state = await line.seen(f"{place}/{config.state}") if place is not None else None
    if place is None or str("" if state is None else state) not in config.running:
        return f"the run {job} is not under way: {state or 'it is not there'}"
    await line.call(config.at(config.stop), [job if one == KEY else one for one in config.stop_with])
    return ""
