#include "arka/io/curl_http_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace arka {
namespace {

constexpr size_t kMaxHeaderBytes = 1 << 20;

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;

struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

/// What libcurl's callbacks fill.
struct Reception {
  HttpResponse response;
  size_t max_body_bytes = 0;
  size_t header_bytes = 0;
  bool too_large = false;
};

size_t OnBody(const char* data, size_t size, size_t count, void* context) {
  auto& reception = *static_cast<Reception*>(context);
  const size_t bytes = size * count;
  if (reception.response.body.size() + bytes > reception.max_body_bytes) {
    reception.too_large = true;
    return 0;
  }
  reception.response.body.append(data, bytes);
  return bytes;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

size_t OnHeader(const char* data, size_t size, size_t count, void* context) {
  auto& reception = *static_cast<Reception*>(context);
  const std::string_view line(data, size * count);
  reception.header_bytes += line.size();
  if (reception.header_bytes > kMaxHeaderBytes) {
    reception.too_large = true;
    return 0;
  }
  // A status line: what came before it belonged to an interim answer (100 Continue).
  if (line.starts_with("HTTP/")) reception.response.headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(Trimmed(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  reception.response.headers.push_back(
      {std::move(name), std::string(Trimmed(line.substr(colon + 1)))});
  return line.size();
}

Result<HeaderList> MakeHeaderList(const HttpRequest& request) {
  HeaderList list;
  const auto add = [&list](const std::string& line) -> Status {
    if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20; })) {
      return Error(ErrorCode::kInvalidRequest, "an HTTP header has a control character in it");
    }
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return Error(ErrorCode::kUnavailable, "no memory for HTTP headers");
    (void)list.release();
    list.reset(longer);
    return Status::OK();
  };
  // libcurl would wait for a 100 Continue before it sends a large body; nobody answers one here.
  ARROW_RETURN_NOT_OK(add("Expect:"));
  for (const HttpHeader& header : request.headers) {
    ARROW_RETURN_NOT_OK(add(header.name + ": " + header.value));
  }
  return list;
}

/// Whether any byte of the request may have left; libcurl counts what it handed to the socket.
bool MayHaveBeenSent(CURL* handle) {
  long request_bytes = 0;
  return curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &request_bytes) != CURLE_OK ||
         request_bytes > 0;
}

Status Failure(CURLcode code, CURL* handle, const Reception& reception, const char* detail) {
  const std::string_view why = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (reception.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return Error(ErrorCode::kTooLarge, "the answer is larger than the ", reception.max_body_bytes,
                 " bytes that are read");
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return Error(ErrorCode::kInvalidRequest, why);
  }
  if (!MayHaveBeenSent(handle)) return Error(ErrorCode::kUnavailable, why);
  const bool timed_out = code == CURLE_OPERATION_TIMEDOUT;
  return Error(timed_out ? ErrorCode::kTimedOut : ErrorCode::kIoFailed, why);
}

}  // namespace

Result<std::unique_ptr<CurlHttpClient>> CurlHttpClient::Make(const CurlHttpOptions& options) {
  const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // counted, and thread-safe
  if (started != CURLE_OK) {
    return Error(ErrorCode::kInternal, "libcurl does not start: ", curl_easy_strerror(started));
  }
  return std::unique_ptr<CurlHttpClient>(new CurlHttpClient(options));
}

Result<HttpResponse> CurlHttpClient::Send(const HttpRequest& request) {
  const Handle owner(curl_easy_init());
  CURL* handle = owner.get();
  if (handle == nullptr) return Error(ErrorCode::kUnavailable, "libcurl has no memory");
  ARROW_ASSIGN_OR_RAISE(const HeaderList headers, MakeHeaderList(request));
  Reception reception;
  reception.max_body_bytes = static_cast<size_t>(options_.max_response_bytes);
  std::array<char, CURL_ERROR_SIZE> detail = {};

  CURLcode set = CURLE_OK;
  const auto option = [&](CURLoption name, auto value) {
    if (set == CURLE_OK) set = curl_easy_setopt(handle, name, value);
  };
  option(CURLOPT_URL, request.url.c_str());
  option(CURLOPT_PROTOCOLS_STR, "http,https");
  option(CURLOPT_PATH_AS_IS, 1L);
  option(CURLOPT_FOLLOWLOCATION, 0L);
  option(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  option(CURLOPT_FRESH_CONNECT, 1L);
  option(CURLOPT_FORBID_REUSE, 1L);
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  option(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.request_timeout.count()));
  option(CURLOPT_HTTPHEADER, headers.get());
  option(CURLOPT_ERRORBUFFER, detail.data());
  option(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options_.max_response_bytes));
  option(CURLOPT_WRITEFUNCTION, &OnBody);
  option(CURLOPT_WRITEDATA, static_cast<void*>(&reception));
  option(CURLOPT_HEADERFUNCTION, &OnHeader);
  option(CURLOPT_HEADERDATA, static_cast<void*>(&reception));
  if (request.method == "HEAD") {
    option(CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET" || !request.body.empty()) {
    option(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    option(CURLOPT_POSTFIELDS, request.body.data());
    option(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (set != CURLE_OK) {
    return Error(ErrorCode::kInvalidRequest, "HTTP request: ", curl_easy_strerror(set));
  }

  const CURLcode sent = curl_easy_perform(handle);
  if (sent != CURLE_OK) return Failure(sent, handle, reception, detail.data());
  long status = 0;
  (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  reception.response.status = static_cast<int>(status);
  return std::move(reception.response);
}

}  // namespace arka
