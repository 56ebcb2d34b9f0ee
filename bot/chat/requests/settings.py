"""Settings of one thread: by typing, by buttons, or as the reply to a question."""

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press, stamp
from threadcast.bot.chat.commands import About, Answer, Context, Request, command
from threadcast.bot.chat.requests import changing
from threadcast.bot.chat.views import settings as views
from threadcast.bot.languages import N_
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.threads import SETTABLE
from threadcast.bot.settled import setting_refused
from threadcast.queue.states import Event
from threadcast.queue.text.settings import CHOICES


@command(
    "set",
    who=Role.OWNER,
    about=About.THREAD,
    events=(Event.SCHEDULE,),
    takes=N_("ID [setting [value]]"),
    help=N_("Settle something for one thread alone: a content warning, its language"),
    more=N_(
        "/set 7 warning food, drinks\n/set 7 language de\n/set 7 warning -  as its channels have it\n"
        "/set 7  shows all of them. They may also stand before a text, between lines of ---"
    ),
)
def set_(context: Context, request: Request) -> Answer:
    """The words are the name of a setting, and its value; without them it is asked for."""
    requests = context.requests(request.sender)
    dossier = requests.queries.show(request.thread)
    thread, mark = dossier.stored.thread, stamp(chain.delivery for chain in dossier.chains)
    if not request.words:
        return Answer(views.settings(request.thread, thread, SETTABLE, mark))
    name, value = request.words[0].lower().replace("-", "_"), " ".join(request.words[1:])
    if name not in SETTABLE:
        requests.threads.settings(request.thread, {name: value})  # says why not
        raise InputError(setting_refused(name, value))
    if not value:
        if name in CHOICES:
            return Answer(views.choices(request.thread, thread, name, mark))
        question = views.question(request.thread, thread, name)
        return Answer(question, afresh=True, asked=Press("set", request.threads, (name,)))
    requests.threads.settings(request.thread, {name: None if value == views.AS_USUAL else value})
    thread = requests.queries.show(request.thread).stored.thread
    said = views.changed(request.thread, name, thread)
    if request.message is None:
        return Answer(changing.standing(context, request, said))
    return Answer(views.settings(request.thread, thread, SETTABLE, mark), toast=said)
