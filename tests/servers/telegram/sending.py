"""The methods of the Bot API that post: messages, documents, forwards.

https://core.telegram.org/bots/api#available-methods
"""

from mimetypes import guess_type

from tests.servers.http import Upload
from tests.servers.telegram.chats import ApiError, Chat, Json, Message, User
from tests.servers.telegram.keyboards import Markup, read_markup
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.state import BotApi
from tests.servers.telegram.text import Formatted, caption, message_text

NO_RIGHT = "need administrator rights in the channel chat"
ACTIONS = (
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
    *("upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note"),
)


def send_message(api: BotApi, bot: User, given: Parameters) -> Json:
    chat = api.chat(bot, given)
    chat.require_right(bot, "can_post_messages", NO_RIGHT)
    formatted = message_text(given)
    return post(api, bot, chat, given, formatted, {}).to_json()


def send_document(api: BotApi, bot: User, given: Parameters) -> Json:
    chat = api.chat(bot, given)
    chat.require_right(bot, "can_post_messages", NO_RIGHT)
    formatted = caption(given)
    document = _document(api, given)
    return post(api, bot, chat, given, formatted, {"document": document}).to_json()


def post(api: BotApi, bot: User, chat: Chat, given: Parameters, formatted: Formatted, extra: Json) -> Message:
    markup = read_markup(given, only_inline=chat.kind == "channel")
    _check_preview(given)
    parent = _parent(chat, given)
    silent = given.flag("disable_notification")
    api.keep_pace(bot, chat)
    return chat.add(
        formatted.text,
        entities=formatted.entities,
        sender=bot,
        reply_to=parent,
        silent=silent,
        given=dict(given.given),
        extra=extra | with_buttons(markup),
        keyboard=markup.other,
    )


def _check_preview(given: Parameters) -> None:
    options = given.value("link_preview_options")
    if options is not None and not isinstance(options, dict):
        raise ApiError(400, "Bad Request: object expected as link preview options")
    for name in ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"):
        if not isinstance((options or {}).get(name, False), bool):
            raise ApiError(400, f'Bad Request: field "{name}" must be of type Boolean')


def with_buttons(markup: Markup) -> Json:
    return {"reply_markup": markup.inline} if markup.inline else {}


def _document(api: BotApi, given: Parameters) -> Json:
    """The document to send: a file that comes with the call, or one that is known by its id."""
    named = given.text("document")
    upload = given.files.get(named.removeprefix("attach://") if named else "document")
    if upload is not None:
        if len(upload.data) > api.upload_limit:
            raise ApiError(413, "Request Entity Too Large")
        return document_json(api, upload)
    if not named:
        raise ApiError(400, "Bad Request: there is no document in the request")
    if named not in api.files:
        raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
    return document_json(api, Upload("", "", api.files[named]), file_id=named)


def document_json(api: BotApi, upload: Upload, file_id: str | None = None) -> Json:
    """How a document is shown; its file is kept."""
    if not upload.data:
        raise ApiError(400, "Bad Request: file must be non-empty")
    file_id = file_id or api.keep(upload.data)
    name = api.names.setdefault(file_id, upload.filename or "file")
    kind = guess_type(name)[0] or "application/octet-stream"
    shown: Json = {"file_id": file_id, "file_unique_id": file_id, "file_name": name}
    return shown | {"mime_type": kind, "file_size": len(upload.data)}


def send_chat_action(api: BotApi, bot: User, given: Parameters) -> bool:
    chat = api.chat(bot, given)
    if given.text("action").lower() not in ACTIONS:
        raise ApiError(400, "Bad Request: wrong parameter action in request")
    chat.require_right(bot, "can_post_messages", NO_RIGHT)
    api.actions.append((chat.id, given.text("action").lower()))
    return True


def forward_message(api: BotApi, bot: User, given: Parameters) -> Json:
    target, source = api.chat(bot, given), api.chat(bot, given, "from_chat_id")
    source.require_member(bot)
    target.require_right(bot, "can_post_messages", NO_RIGHT)
    original = source.find(given.integer("message_id"), "message to forward not found")
    require_forwardable(original)
    api.keep_pace(bot, target)
    return forward(original, target, bot).to_json()


def require_forwardable(original: Message) -> None:
    if "pinned_message" in original.extra:  # as all that is no content
        raise ApiError(400, "Bad Request: message can't be forwarded")
    if original.chat.protected:
        raise ApiError(400, "Bad Request: message has protected content and can't be forwarded")


def forward(original: Message, target: Chat, sender: User) -> Message:
    """Return a copy that tells where it is from. Buttons stay behind."""
    origin: Json = {"date": original.date}
    if original.chat.kind == "channel":
        origin |= {"type": "channel", "chat": original.chat.to_json(), "message_id": original.id}
    elif original.sender is not None:
        origin |= {"type": "user", "sender_user": original.sender.to_json()}
    # What was forwarded itself is still from where it was written.
    kept = {
        name: value for name, value in original.extra.items() if name not in ("reply_markup", "edit_date")
    }
    extra = {"forward_origin": origin, **kept}
    return target.add(original.text, entities=original.entities, sender=sender, extra=extra)


def _parent(chat: Chat, given: Parameters) -> int | None:
    reply = given.value("reply_parameters")
    if reply is None:
        parent, lenient = given.value("reply_to_message_id"), given.flag("allow_sending_without_reply")
    elif not isinstance(reply, dict):
        raise ApiError(400, "Bad Request: object expected as reply parameters")
    elif "message_id" not in reply:
        raise ApiError(400, 'Bad Request: can\'t find field "message_id"')
    else:
        parent, lenient = reply["message_id"], bool(reply.get("allow_sending_without_reply"))
    if parent in chat.messages:
        return int(parent)
    if parent is None or lenient:
        return None
    raise ApiError(400, "Bad Request: message to be replied not found")
