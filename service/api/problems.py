"""The errors of the API: a status, a reason for programs and a message for people."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

REASONS = {404: "not_found", 405: "method_not_allowed"}


class Problem(Exception):
    """A request that gets an error as its answer.

    status: the HTTP status. reason: one word for programs. message: what is wrong and what to do; it names
    neither the content of a photo nor a token. headers: of the response.
    """

    def __init__(
        self, status: int, reason: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.headers = dict(headers or {})


def busy(reason: str, message: str) -> Problem:
    """Return the answer to a request that has to be sent again later."""
    return Problem(429, reason, message, headers={"Retry-After": "1"})


def problem_response(problem: Problem, request_id: str) -> JSONResponse:
    """Return the response that describes a problem."""
    error = {"reason": problem.reason, "message": problem.message, "request_id": request_id}
    return JSONResponse({"error": error}, status_code=problem.status, headers=problem.headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer problems, unknown paths and invalid parameters in one form."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


def request_id_of(scope: Mapping[str, object]) -> str:
    """Return the id that RequestLog gave to a request."""
    state = scope.get("state")
    return str(state.get("request_id", "")) if isinstance(state, dict) else ""


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if error.status == 401 and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/login", 303)  # a browser that has not signed in
    return problem_response(error, request_id_of(request.scope))


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(
        f"{'.'.join(str(part) for part in entry['loc'][1:])}: {entry['msg']}" for entry in error.errors()[:5]
    )
    return problem_response(Problem(422, "invalid", wrong), request_id_of(request.scope))


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    reason = REASONS.get(error.status_code, "invalid")
    problem = Problem(error.status_code, reason, f"{error.detail}.", headers=error.headers)
    return problem_response(problem, request_id_of(request.scope))
