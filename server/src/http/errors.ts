/** From anything thrown to the one form in which the API answers failures. */
import { type ErrorBody, type ErrorCode, errorKinds, isErrorCode } from "@pi-netboot/api";
import { isNetbootError, NetbootError, systemCode } from "../base/index.ts";

/** A failure that the client is told of, with a code of the API's table. */
export class ApiError extends NetbootError {
	declare readonly code: ErrorCode;

	constructor(code: ErrorCode, message: string, options?: { hint?: string; cause?: unknown }) {
		super(code, message, options);
	}

	get status(): number {
		return errorKinds[this.code].status;
	}

	body(): ErrorBody {
		const { code, message, hint } = this;
		return { error: hint === undefined ? { code, message } : { code, message, hint } };
	}
}

/** What Fastify throws before a handler runs. Its other codes with a 4xx status are malformed requests. */
const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
	FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
	FST_ERR_CTP_INVALID_MEDIA_TYPE: "media-type",
};

/** Makes an `ApiError` of anything thrown; what is not meant for the client becomes `internal` with `cause`. */
export function toApiError(error: unknown): ApiError {
	if (error instanceof ApiError) return error;
	if (isNetbootError(error) && isErrorCode(error.code)) return retold(error, error.code);
	const code = fastifyCodes[systemCode(error) ?? ""];
	if (code !== undefined) return new ApiError(code, errorKinds[code].description, { cause: error });
	if (isBadRequest(error)) return new ApiError("invalid-request", `The request cannot be read: ${error.message}`);
	return new ApiError("internal", "The server failed at this; its log says more.", { cause: error });
}

function retold(error: NetbootError, code: ErrorCode): ApiError {
	return new ApiError(code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

function isBadRequest(error: unknown): error is Error {
	if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return false;
	return error.statusCode >= 400 && error.statusCode < 500;
}
