"""asyncio under the explorer: a loop that keeps asyncio's promises and makes choices of what asyncio leaves open."""
