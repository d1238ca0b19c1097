#include "arka/auth/json_web_key.h"

#include <array>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "arka/base/base64.h"

namespace arka::auth {
namespace {

using Json = nlohmann::json;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;  // more would only take time
constexpr size_t kP256Bytes = 32;
constexpr size_t kEd25519Bytes = 32;
constexpr size_t kMaxKeys = 256;

using KeyPtr = std::shared_ptr<EVP_PKEY>;

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* it) const { Free(it); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Deleter<T, Free>>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Status Broken(std::string_view id, std::string_view why) {
  return Error(ErrorCode::kInvalidRequest, "key '", id, "' ", why);
}

/// A public key of that type out of parameters.
KeyPtr KeyOf(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

KeyPtr RsaKey(const std::string& n, const std::string& e) {
  using Number = Owned<BIGNUM, BN_free>;
  const Number modulus(BN_bin2bn(Bytes(n), static_cast<int>(n.size()), nullptr));
  const Number exponent(BN_bin2bn(Bytes(e), static_cast<int>(e.size()), nullptr));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return KeyOf("RSA", builder.get());
}

KeyPtr P256Key(const std::string& x, const std::string& y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return nullptr;
  const std::string point = '\x04' + x + y;
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return KeyOf("EC", builder.get());
}

KeyPtr Ed25519Key(const std::string& x) {
  if (x.size() != kEd25519Bytes) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()),
          EVP_PKEY_free};
}

/// What kind of key it is decides; "" where none of ours.
std::string AlgorithmOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return "RS256";
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return "EdDSA";
  std::array<char, 32> group{};
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
      std::string_view(group.data()) == "prime256v1") {
    return "ES256";
  }
  return "";
}

Status CheckStrength(const JsonWebKey& key) {
  const int bits = EVP_PKEY_get_bits(key.key.get());
  if (key.algorithm != "RS256" || (bits >= kMinRsaBits && bits <= kMaxRsaBits)) return Status::OK();
  return Broken(key.id, "is RSA of " + std::to_string(bits) + " bits; expected 2048 to 8192");
}

std::string TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

/// Nothing for a key of another kind or for another use.
Result<std::optional<JsonWebKey>> KeyOfJson(const Json& json) {
  if (!json.is_object()) return Error(ErrorCode::kInvalidRequest, "a key is no JSON object");
  JsonWebKey key;
  key.id = TextOf(json, "kid");
  if (json.contains("use") && TextOf(json, "use") != "sig") return std::nullopt;
  const std::string type = TextOf(json, "kty"), curve = TextOf(json, "crv");
  std::array<std::string, 2> numbers;
  const auto read = [&](const char* first, const char* second) {
    const auto a = DecodeBase64Url(TextOf(json, first));
    const auto b = DecodeBase64Url(second == nullptr ? "" : TextOf(json, second));
    if (a && b) numbers = {*a, *b};
  };
  if (type == "RSA") {
    read("n", "e");
    key.key = RsaKey(numbers[0], numbers[1]);
  } else if (type == "EC" && curve == "P-256") {
    read("x", "y");
    key.key = P256Key(numbers[0], numbers[1]);
  } else if (type == "OKP" && curve == "Ed25519") {
    read("x", nullptr);
    key.key = Ed25519Key(numbers[0]);
  } else {
    return std::nullopt;
  }
  if (key.key == nullptr) return Broken(key.id, "is no " + type + " key: its numbers are wrong");
  key.algorithm = AlgorithmOf(key.key.get());
  if (json.contains("alg") && TextOf(json, "alg") != key.algorithm) return std::nullopt;
  ARROW_RETURN_NOT_OK(CheckStrength(key));
  return key;
}

Result<JsonWebKeys> KeysOfJson(std::string_view text) {
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto list = root.is_object() ? root.find("keys") : root.end();
  if (!root.is_object() || list == root.end() || !list->is_array() || list->size() > kMaxKeys) {
    return Error(ErrorCode::kInvalidRequest,
                 "is neither a JSON Web Key Set ({\"keys\": [...]}, at most ", kMaxKeys,
                 ") nor PEM");
  }
  JsonWebKeys keys;
  for (const Json& json : *list) {
    ARROW_ASSIGN_OR_RAISE(auto key, KeyOfJson(json));
    if (key) keys.push_back(*std::move(key));
  }
  return keys;
}

Result<JsonWebKeys> KeysOfPem(std::string_view text) {
  const Owned<BIO, BIO_free_all> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  JsonWebKeys keys;
  char *name = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;  // NOLINT(google-runtime-int): OpenSSL's type
  while (keys.size() < kMaxKeys && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    const std::string_view kind = name;
    const unsigned char* at = data;
    JsonWebKey key;
    if (kind == "PUBLIC KEY") {
      key.key = KeyPtr(d2i_PUBKEY(nullptr, &at, size), EVP_PKEY_free);
    } else if (kind == "CERTIFICATE") {
      const Owned<X509, X509_free> certificate(d2i_X509(nullptr, &at, size));
      if (certificate) key.key = KeyPtr(X509_get_pubkey(certificate.get()), EVP_PKEY_free);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<size_t>(size));
    if (key.key == nullptr) continue;
    key.algorithm = AlgorithmOf(key.key.get());
    ARROW_RETURN_NOT_OK(CheckStrength(key));
    if (!key.algorithm.empty()) keys.push_back(std::move(key));
  }
  ERR_clear_error();
  return keys;
}

/// ES256's 64 bytes (RFC 7518, section 3.4) as OpenSSL takes them.
std::string DerOf(std::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return "";
  const Owned<ECDSA_SIG, ECDSA_SIG_free> numbers(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(Bytes(signature), kP256Bytes, nullptr);
  BIGNUM* s = BN_bin2bn(Bytes(signature) + kP256Bytes, kP256Bytes, nullptr);
  ECDSA_SIG_set0(numbers.get(), r, s);
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  return text;
}

}  // namespace

bool JsonWebKey::Verifies(std::string_view text, std::string_view signature) const {
  const std::string der = algorithm == "ES256" ? DerOf(signature) : std::string(signature);
  const EVP_MD* digest = algorithm == "EdDSA" ? nullptr : EVP_sha256();
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const bool good =
      context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), Bytes(der), der.size(), Bytes(text), text.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<JsonWebKeys> ParseJsonWebKeys(std::string_view text) {
  const bool is_pem = text.find("-----BEGIN ") != std::string_view::npos;
  ARROW_ASSIGN_OR_RAISE(auto keys, is_pem ? KeysOfPem(text) : KeysOfJson(text));
  if (!keys.empty()) return keys;
  return Error(ErrorCode::kInvalidRequest,
               "has no public key of RSA, P-256 or Ed25519 that is for signatures");
}

}  // namespace arka::auth
