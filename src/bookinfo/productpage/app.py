"""The HTTP side of productpage: pages, login, API, static files."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final
from urllib.parse import urlsplit

from bookinfo.productpage import backends, pages, products, sessions, static_files
from bookinfo.productpage import settings as page_settings
from bookinfo.service import answers, application, forms, headers
from bookinfo.service.answers import Response
from bookinfo.service.metrics import Metrics
from bookinfo.service.requests import Request
from bookinfo.service.routes import Outcome, Route
from bookinfo.service.settings import Environment, ServiceSettings

LOGGER: Final = logging.getLogger("bookinfo.productpage")

DEFAULT_PRODUCT: Final = 0

PAGE: Final = answers.encode_fields(
    {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'"
        ),
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
)


def create(environment: Environment, common: ServiceSettings) -> application.Service:
    """
    Build the service.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    settings = page_settings.read(environment)
    secret = settings.session_secret
    if secret is None:
        LOGGER.warning(
            "SESSION_SECRET is not set: logins end with this process and hold for this replica only"
        )
        secret = secrets.token_bytes(32)
    metrics = Metrics(common.name, common.version)
    page = ProductPage(common, settings, backends.Backends(settings, metrics), sessions.Signer(secret))
    return application.build(
        common, routes=page.routes(), metrics=metrics, lifespan=page.backends.lifespan, error_page=page.error
    )


class ProductPage:
    """The handlers, with what they need."""

    def __init__(
        self,
        common: ServiceSettings,
        settings: page_settings.PageSettings,
        calls: backends.Backends,
        signer: sessions.Signer,
    ) -> None:
        self.backends = calls
        self._settings = settings
        self._signer = signer
        self._static = static_files.StaticFiles()
        self._pages = pages.Pages(
            common, style_url=self._static.url("bookinfo.css"), icon_url=self._static.url("icon.svg")
        )

    def routes(self) -> list[Route]:
        return [
            Route("/", self.index),
            Route("/index.html", self.index),
            Route("/health", self.health),
            Route("/productpage", self.product_page),
            Route("/login", self.login, methods=("POST",)),
            Route("/logout", self.logout),
            Route("/api/v1/products", self.api_products),
            Route("/api/v1/products/{product_id}", self.api_details),
            Route("/api/v1/products/{product_id}/reviews", self.api_reviews),
            Route("/api/v1/products/{product_id}/ratings", self.api_ratings),
            self._static.route(),
        ]

    def index(self, request: Request) -> Response:
        services = (
            ("details", self._settings.details_url, ()),
            ("reviews", self._settings.reviews_url, ("ratings",)),
            ("ratings", self._settings.ratings_url, ()),
        )
        return html_page(self._pages.index(services, user=self._user(request)))

    def health(self, _request: Request) -> Response:
        return answers.text("Product page is healthy")

    async def product_page(self, request: Request) -> Response:
        user = self._user(request)
        outgoing = self._outgoing(request, user)
        details, reviews = await asyncio.gather(
            self.backends.details(DEFAULT_PRODUCT, outgoing), self.backends.reviews(DEFAULT_PRODUCT, outgoing)
        )
        html = self._pages.product(
            products.PRODUCTS[DEFAULT_PRODUCT],
            user=user,
            details=pages.build_details(details),
            reviews=pages.build_reviews(reviews),
        )
        return html_page(html)

    def login(self, request: Request) -> Response:
        if not is_same_site(request):
            return self.error(request, 403, "This form was sent from another site.")
        user = sessions.parse_user(forms.parse(request).get("username", ""))
        if user is None:
            return self.error(
                request,
                400,
                f"A user name has 1 to {sessions.LONGEST_NAME} characters, all of them printable.",
            )
        is_secure = request.header("x-forwarded-proto") == "https"
        return back_to_the_page(sessions.set_cookie(self._signer.issue(user), is_secure=is_secure))

    def logout(self, request: Request) -> Response:
        return back_to_the_page(sessions.delete_cookie() if is_same_site(request) else None)

    def api_products(self, _request: Request) -> Response:
        return answers.json(products.PRODUCTS)

    def api_details(self, request: Request) -> Outcome:
        return self._api(request, "details")

    def api_reviews(self, request: Request) -> Outcome:
        return self._api(request, "reviews")

    def api_ratings(self, request: Request) -> Outcome:
        return self._api(request, "ratings")

    async def _api(self, request: Request, name: str) -> Response:
        """Pass on what a backend says about a product, status and all."""
        product_id = answers.parse_product_id(request.parameters["product_id"])
        if product_id is None:
            return answers.error("please provide numeric product id", 400)
        ask = {
            "details": self.backends.details,
            "reviews": self.backends.reviews,
            "ratings": self.backends.ratings,
        }[name]
        result = await ask(product_id, self._outgoing(request, self._user(request)))
        return Response(result.body, result.status, answers.JSON)

    def error(self, request: Request, status: int, reason: str) -> Response:
        """Answer with why there is no page: JSON below /api, else HTML."""
        if request.path.startswith("/api/"):
            return answers.error(reason, status)
        html = self._pages.message(status=status, title="That did not work", text=reason)
        return html_page(html, status)

    def _user(self, request: Request) -> str | None:
        return self._signer.user(request.cookie(sessions.COOKIE))

    def _outgoing(self, request: Request, user: str | None) -> dict[str, str]:
        return headers.propagated_headers_at_edge(request.headers, user=user)


def is_same_site(request: Request) -> bool:
    """
    Say whether a form was sent from our own pages, or from a client that is no browser.

    Browsers name where a form comes from; they do so with Sec-Fetch-Site where they trust the connection, else with
    Origin, which then has to match Host.
    """
    site = request.header("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.header("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == request.header("host")
    except ValueError:  # no URL
        return False


def html_page(html: str, status: int = 200) -> Response:
    return Response(html.encode("utf-8"), status, PAGE)


def back_to_the_page(cookie: str | None) -> Response:
    """Redirect to the product page by a relative URL, so that path prefixes and changed host names do no harm."""
    headers = {"location": "productpage", "cache-control": "no-store"}
    if cookie is not None:
        headers["set-cookie"] = cookie
    return Response(b"", 302, answers.encode_fields(headers))
