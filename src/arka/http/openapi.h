// GET /api/v1/openapi.json: the description of everything under /api/v1, for tools and people.
//
// Written by hand, in openapi.json; tests hold it against what the server answers.
#pragma once

#include <string_view>

#include "arka/transport/http.h"

namespace arka::http {

inline constexpr std::string_view kOpenApiPath = "/api/v1/openapi.json";

std::string_view OpenApiDocument();
transport::HttpResponse OpenApiAnswer();

}  // namespace arka::http
