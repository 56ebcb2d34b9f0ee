"""`threadcast demo`: the main job, whole, on this machine alone.

The sample threads go through the real queue, scheduler and publisher to two local channels that obey
Telegram's and Mastodon's rules. Every run has a folder of its own: nothing is overwritten.
"""

import asyncio
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from threadcast.bot.channels.build import open_channels
from threadcast.bot.channels.port import now
from threadcast.bot.data_folder import make_folder, open_queue
from threadcast.bot.languages import N_, _
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.queries import Chain
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.service import Service
from threadcast.bot.shell.follow import Watch
from threadcast.bot.shell.screen import Screen, safe, state
from threadcast.bot.shell.views import progress
from threadcast.bot.wording import parts
from threadcast.config import logs
from threadcast.config.settings import Settings, load
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.model import Delivery
from threadcast.queue.states import OVER

CHANNELS = {
    "THREADCAST_CHANNELS__TELEGRAM__KIND": "local",
    "THREADCAST_CHANNELS__TELEGRAM__LIKE": "telegram",
    "THREADCAST_CHANNELS__MASTODON__KIND": "local",
    "THREADCAST_CHANNELS__MASTODON__LIKE": "mastodon",
}


@dataclass(frozen=True, slots=True)
class Samples:
    """The packaged threads, and the pictures beside them."""

    folder: Traversable

    def opened(self, name: str) -> BytesIO:
        return BytesIO(self.folder.joinpath(name).read_bytes())


async def show_off(folder: Path) -> None:
    """Run the demonstration and print what came of it; `folder` is absolute. Raises StoreError."""
    data = folder / now().strftime("%Y-%m-%d-%H%M%S-%f")
    make_folder(data)
    settings = load({"THREADCAST_DATA": str(data), **CHANNELS}, folder=data)
    logs.configure("warning", "auto")
    screen = Screen(ZoneInfo("UTC"))
    async with open_queue(settings) as database:
        async with open_channels(settings) as channels:
            requests = build_requests(settings, database, channels, actor="demo")
            under_way = add_samples(requests, screen)
            watch = Watch(screen, ends_only=True)

            def see(delivery: Delivery) -> None:
                watch.see(delivery)
                if delivery.state in OVER:
                    under_way.discard(delivery.id)
                if not under_way:
                    service.stop.ask()

            service = Service(settings, database, channels, observe=see)
            with watch.shown():
                await service.run()
            # Looked up before the channels close, shown after the page is written.
            chains = await asyncio.to_thread(requests.queries.history)
        report(screen, settings, chains)


def add_samples(requests: Requests, screen: Screen) -> set[int]:
    """Queue the packaged sample threads; return the ids of their deliveries."""
    samples = Samples(resources.files(__package__).joinpath("samples"))
    texts = {one.name: one.read_bytes() for one in samples.folder.iterdir() if one.name.endswith(".txt")}
    receipts = requests.threads.add([understand(name, texts[name], files=samples) for name in sorted(texts)])
    for receipt in receipts:
        said = _("queued {title} ({parts})")
        title = f"[bold]{safe(receipt.thread.title)}[/]"
        screen.say(said.format(title=title, parts=parts(len(receipt.thread.parts))))
    return {delivery.id for receipt in receipts for delivery in receipt.added.deliveries}


def report(screen: Screen, settings: Settings, chains: tuple[Chain, ...]) -> None:
    """The chains with their ids, where the page is, and what to type next. Raises StoreError."""
    screen.say()
    lines = []
    for chain in reversed(chains):
        one, ids = chain.delivery, f"{chain.posts[0].remote_id} … {chain.posts[-1].remote_id}"
        what = (f"#{one.thread_id}", one.channel, state(one.state), progress(one))
        lines.append((*what, ids, safe(one.title)))
    head = (N_("thread"), N_("channel"), N_("state"), N_("posts"), N_("ids"), N_("title"))
    screen.table(head, lines)
    broken = [chain for chain in chains if chain.delivery.state != "published"]
    if broken:
        raise StoreError(Fault.NOT_PUBLISHED, broken=len(broken), chains=len(chains), path=settings.data)
    screen.say()
    where = f"[bold]{safe(str(settings.data / 'timeline.html'))}[/]"
    screen.say(_("The chains as their readers see them: {path}").format(path=where))
    screen.say(_("Open it in a browser. Then set up your own channels: README.md, “Set up in five minutes”."))
