"""Where Telegram brings updates of the bot, if it is to: they are the chat's, and only pass through here."""

from fastapi import APIRouter, Request, Response

from threadcast.bot.web.sign_in import SiteHere
from threadcast.config.web import WEBHOOK_PATH

router = APIRouter()


# https://core.telegram.org/bots/api#setwebhook
@router.post(WEBHOOK_PATH)
async def updates(request: Request, site: SiteHere) -> Response:
    """Answer when the update was handled: what is not answered with 200 comes again."""
    secret = request.headers.get("x-telegram-bot-api-secret-token", "")
    return Response(status_code=await site.hear(secret, await request.body()))
