"""`threadcast demo`: the main job, whole, on this machine alone.

The sample threads go through the real queue, scheduler and publisher to two local channels that obey
Telegram's and Mastodon's rules. Every run has a folder of its own: nothing is overwritten.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from threadcast.bot import views
from threadcast.bot.desk import ENDED, Chain, Desk, understand
from threadcast.bot.service import Service, build_desk, make_folder, now, open_channels, prepare
from threadcast.config import logs
from threadcast.config.settings import Settings, load
from threadcast.queue.store import Delivery, StoreError

CHANNELS = {
    "THREADCAST_CHANNELS__TELEGRAM__KIND": "local",
    "THREADCAST_CHANNELS__TELEGRAM__LIKE": "telegram",
    "THREADCAST_CHANNELS__MASTODON__KIND": "local",
    "THREADCAST_CHANNELS__MASTODON__LIKE": "mastodon",
}


async def show_off(folder: Path) -> None:
    """Run the demonstration and print what came of it; `folder` is absolute. Raises StoreError."""
    data = folder / now().strftime("%Y-%m-%d-%H%M%S-%f")
    make_folder(data)
    settings = load({"THREADCAST_DATA": str(data), **CHANNELS}, folder=data)
    logs.configure("warning", "auto", secrets=())
    screen = views.Screen(ZoneInfo("UTC"))
    with closing(prepare(settings)) as store:
        async with open_channels(settings) as channels:
            desk = build_desk(settings, store, channels, actor="demo")
            deliveries = add_samples(desk, screen)
            watch = Watch(screen, deliveries)
            service = Service(settings, store, channels, observe=watch.see)
            watch.done = service.stop.asked.set
            with watch.shown():
                await service.run()
            # Looked up before the channels close, shown after the page is written.
            chains = await asyncio.to_thread(desk.history)
        report(screen, settings, chains)


def add_samples(desk: Desk, screen: views.Screen) -> list[Delivery]:
    """Queue the packaged sample threads."""
    samples = sorted(
        (
            one
            for one in resources.files("threadcast.bot").joinpath("samples").iterdir()
            if one.name.endswith(".txt")
        ),
        key=lambda one: one.name,
    )
    receipts = desk.add([understand(one.name, one.read_bytes()) for one in samples])
    for receipt in receipts:
        screen.say(f"queued [bold]{views.safe(receipt.thread.title)}[/] ({len(receipt.thread.parts)} parts)")
    return [delivery for receipt in receipts for delivery in receipt.added.deliveries]


class Watch:
    """Shows the deliveries' progress: bars on a terminal, a line for each chain in a pipe."""

    def __init__(self, screen: views.Screen, deliveries: list[Delivery]) -> None:
        self.done: Callable[[], None] = lambda: None
        self._screen = screen
        self._open = {delivery.id for delivery in deliveries}
        self._bars: Progress | None = None
        self._tasks: dict[int, TaskID] = {}
        if screen.console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                console=screen.console,
            )

    def shown(self) -> AbstractContextManager[object]:
        """While this is open the progress is on the screen."""
        return self._bars or nullcontext()

    def see(self, delivery: Delivery) -> None:
        """One delivery went on; after the last of them has ended, `done` is called."""
        title = f"{delivery.channel}: {views.safe(delivery.title)}"
        if self._bars is not None:
            if delivery.id not in self._tasks:
                self._tasks[delivery.id] = self._bars.add_task(title, total=None)
            self._bars.update(self._tasks[delivery.id], completed=delivery.sent, total=delivery.posts or None)
        if delivery.state not in ENDED:
            return
        if self._bars is None:
            self._screen.say(f"{views.state(delivery.state)} {views.progress(delivery)} {title}")
        self._open.discard(delivery.id)
        if not self._open:
            self.done()


def report(screen: views.Screen, settings: Settings, chains: tuple[Chain, ...]) -> None:
    """The chains with their ids, where the page is, and what to type next. Raises StoreError."""
    screen.say()
    screen.table(
        ("thread", "channel", "state", "posts", "ids", "title"),
        (
            (
                f"#{chain.delivery.thread_id}",
                chain.delivery.channel,
                views.state(chain.delivery.state),
                views.progress(chain.delivery),
                f"{chain.posts[0].remote_id} … {chain.posts[-1].remote_id}",
                views.safe(chain.delivery.title),
            )
            for chain in reversed(chains)
        ),
    )
    broken = [chain for chain in chains if chain.delivery.state != "published"]
    if broken:
        raise StoreError(
            f"{len(broken)} of {len(chains)} chains were not published; see why: "
            f"THREADCAST_DATA={settings.data} threadcast history"
        )
    screen.say()
    screen.say(
        f"The chains as their readers see them: [bold]{views.safe(str(settings.data / 'timeline.html'))}[/]"
    )
    screen.say("Open it in a browser. Then set up your own channels: README.md, “Set up in five minutes”.")
