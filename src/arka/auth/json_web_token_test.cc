#include "arka/auth/json_web_token.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "arka/auth/digest.h"
#include "arka/base/base64.h"
#include "arka/testing/matchers.h"

namespace arka::auth {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;
const WallTime kNowTime{std::chrono::seconds(kNow)};

/// A key pair and what a test signs with it, made by OpenSSL.
class Signer {
 public:
  Signer(const char* algorithm, EVP_PKEY* key) : algorithm_(algorithm), key_(key, EVP_PKEY_free) {}
  static Signer Rsa(int bits = 2048) { return {"RS256", EVP_RSA_gen(static_cast<size_t>(bits))}; }
  static Signer P256() { return {"ES256", EVP_EC_gen("P-256")}; }
  static Signer Ed25519() { return {"EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")}; }

  const std::string& algorithm() const { return algorithm_; }

  std::string Pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    EXPECT_EQ(PEM_write_bio_PUBKEY(bio.get(), key_.get()), 1);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<size_t>(size)};
  }

  Json Jwk(const std::string& kid) const {
    Json jwk = {{"kid", kid}, {"use", "sig"}, {"alg", algorithm_}};
    if (algorithm_ == "RS256") {
      jwk["kty"] = "RSA";
      jwk["n"] = Number(OSSL_PKEY_PARAM_RSA_N);
      jwk["e"] = Number(OSSL_PKEY_PARAM_RSA_E);
    } else if (algorithm_ == "ES256") {
      jwk["kty"] = "EC";
      jwk["crv"] = "P-256";
      jwk["x"] = Number(OSSL_PKEY_PARAM_EC_PUB_X, 32);
      jwk["y"] = Number(OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    } else {
      jwk["kty"] = "OKP";
      jwk["crv"] = "Ed25519";
      std::string raw(32, '\0');
      size_t size = raw.size();
      EXPECT_EQ(EVP_PKEY_get_raw_public_key(key_.get(),
                                            reinterpret_cast<unsigned char*>(raw.data()), &size),
                1);
      jwk["x"] = EncodeBase64Url(raw);
    }
    return jwk;
  }

  std::string Sign(const Json& header, const Json& claims) const {
    const std::string text = EncodeBase64Url(header.dump()) + "." + EncodeBase64Url(claims.dump());
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    EXPECT_EQ(
        EVP_DigestSignInit(context.get(), nullptr, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(),
                           nullptr, key_.get()),
        1);
    std::string signature(1024, '\0');
    size_t size = signature.size();
    EXPECT_EQ(
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()),
        1);
    signature.resize(size);
    if (algorithm_ == "ES256") signature = Raw(signature);
    return text + "." + EncodeBase64Url(signature);
  }

 private:
  std::string Number(const char* name, int width = 0) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &number), 1);
    std::string bytes(static_cast<size_t>(width > 0 ? width : BN_num_bytes(number)), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
                 static_cast<int>(bytes.size()));
    BN_free(number);
    return EncodeBase64Url(bytes);
  }
  static std::string Raw(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* numbers = d2i_ECDSA_SIG(nullptr, &at, static_cast<int>(der.size()));
    std::string raw(64, '\0');
    auto* to = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), to, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), to + 32, 32);
    ECDSA_SIG_free(numbers);
    return raw;
  }

  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

JsonWebKeys KeySet(const std::vector<Json>& keys) {
  return ParseJsonWebKeys(Json({{"keys", keys}}).dump()).ValueOrDie();
}

class JsonWebTokenTest : public ::testing::Test {
 protected:
  Json Header(const std::string& kid = "k") const {
    return {{"alg", signer_.algorithm()}, {"typ", "JWT"}, {"kid", kid}};
  }
  static Json Claims() {
    return {{"iss", "https://issuer"}, {"aud", "arka"}, {"sub", "alice"}, {"exp", kNow + 60}};
  }
  Result<Identity> Verify(const std::string& token) const {
    return VerifyJwt(token, keys_, rules_, kNowTime);
  }
  std::string Refusal(const std::string& token) const {
    const auto verified = Verify(token);
    EXPECT_EQ(CodeOf(verified.status()), ErrorCode::kUnauthenticated) << token;
    return verified.status().message();
  }
  /// The claims with one of them changed; null takes it out.
  std::string With(const std::string& name, const Json& value) const {
    Json claims = Claims();
    if (value.is_null()) {
      claims.erase(name);
    } else {
      claims[name] = value;
    }
    return signer_.Sign(Header(), claims);
  }

  const Signer signer_ = Signer::P256();
  const JsonWebKeys keys_ = KeySet({signer_.Jwk("k")});
  const JwtRules rules_{.issuer = "https://issuer", .audience = "arka"};
};

TEST_F(JsonWebTokenTest, EveryAlgorithmOfOursIsVerifiedByJwksAndByPem) {
  for (const Signer& signer : {Signer::Rsa(), Signer::P256(), Signer::Ed25519()}) {
    const std::string token = signer.Sign({{"alg", signer.algorithm()}, {"kid", "a"}}, Claims());
    for (const JsonWebKeys& keys :
         {KeySet({signer.Jwk("a")}), ParseJsonWebKeys(signer.Pem()).ValueOrDie(),
          KeySet({Signer::P256().Jwk("b"), signer.Jwk("a")})}) {
      const auto identity = VerifyJwt(token, keys, rules_, kNowTime);
      ASSERT_THAT(identity, IsOk()) << signer.algorithm();
      EXPECT_EQ(identity->principal, "alice");
      EXPECT_EQ(identity->expires_at, kNowTime + std::chrono::seconds(90));
    }
  }
}

TEST_F(JsonWebTokenTest, AlgNoneIsRefused) {
  for (const char* none : {"none", "None", "NONE", ""}) {
    const std::string text = EncodeBase64Url(Json({{"alg", none}, {"kid", "k"}}).dump()) + "." +
                             EncodeBase64Url(Claims().dump()) + ".";
    EXPECT_THAT(Refusal(text), HasSubstr("algorithm that no key here has"));
  }
}

TEST_F(JsonWebTokenTest, ThePublicKeyIsNoHmacSecret) {
  for (const std::string& secret : {signer_.Pem(), signer_.Jwk("k").dump()}) {
    const std::string text = EncodeBase64Url(Json({{"alg", "HS256"}, {"kid", "k"}}).dump()) + "." +
                             EncodeBase64Url(Claims().dump());
    EXPECT_THAT(Refusal(text + "." + EncodeBase64Url(HmacSha256(secret, text))),
                HasSubstr("algorithm that no key here has"));
  }
}

TEST_F(JsonWebTokenTest, AKeyIsGoodForItsOwnAlgorithmOnly) {
  const Signer rsa = Signer::Rsa();
  const JsonWebKeys both = KeySet({signer_.Jwk("k"), rsa.Jwk("r")});
  // Signed rightly by "r", but named as ES256, and the other way round.
  const std::string as_ec = rsa.Sign({{"alg", "ES256"}, {"kid", "r"}}, Claims());
  EXPECT_EQ(CodeOf(VerifyJwt(as_ec, both, rules_, kNowTime).status()), ErrorCode::kNotFound);
  const std::string as_rsa = signer_.Sign({{"alg", "RS256"}, {"kid", "k"}}, Claims());
  EXPECT_EQ(CodeOf(VerifyJwt(as_rsa, both, rules_, kNowTime).status()), ErrorCode::kNotFound);
  EXPECT_THAT(Refusal(signer_.Sign({{"alg", "PS256"}, {"kid", "k"}}, Claims())),
              HasSubstr("algorithm"));
}

TEST_F(JsonWebTokenTest, AKeyOfAnotherIdIsNotTried) {
  EXPECT_EQ(CodeOf(Verify(signer_.Sign(Header("another"), Claims())).status()),
            ErrorCode::kNotFound);
}

TEST_F(JsonWebTokenTest, ASignatureOfAnotherKeyIsRefused) {
  EXPECT_THAT(Refusal(Signer::P256().Sign(Header(), Claims())), HasSubstr("wrong signature"));
}

TEST_F(JsonWebTokenTest, WhateverCharacterIsChangedTheTokenIsRefused) {
  const std::string token = signer_.Sign(Header(), Claims());
  ASSERT_THAT(Verify(token), IsOk());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string tampered = token;
    tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Verify(tampered).ok()) << i;
    EXPECT_FALSE(Verify(token.substr(0, i)).ok()) << i;
  }
}

TEST_F(JsonWebTokenTest, TimesAreLookedAtWithALittleLeeway) {
  EXPECT_THAT(Verify(With("exp", kNow - 29)), IsOk());
  EXPECT_THAT(Refusal(With("exp", kNow - 30)), HasSubstr("has expired"));
  EXPECT_THAT(Refusal(With("exp", nullptr)), HasSubstr("no time of expiry"));
  EXPECT_THAT(Refusal(With("exp", "tomorrow")), HasSubstr("no time of expiry"));
  EXPECT_THAT(Refusal(With("exp", -1e300)), HasSubstr("has expired"));
  EXPECT_THAT(Verify(With("exp", 1e300)), IsOk());
  EXPECT_THAT(Verify(With("nbf", kNow + 30)), IsOk());
  EXPECT_THAT(Refusal(With("nbf", kNow + 31)), HasSubstr("not valid yet"));
  EXPECT_THAT(Refusal(With("nbf", "now")), HasSubstr("'nbf'"));
}

TEST_F(JsonWebTokenTest, IssuerAndAudienceAreThoseOfTheConfiguration) {
  EXPECT_THAT(Refusal(With("iss", "https://issuer2")), HasSubstr("another issuer"));
  EXPECT_THAT(Refusal(With("iss", nullptr)), HasSubstr("another issuer"));
  EXPECT_THAT(Refusal(With("aud", "arka2")), HasSubstr("another audience"));
  EXPECT_THAT(Refusal(With("aud", nullptr)), HasSubstr("another audience"));
  EXPECT_THAT(Refusal(With("aud", Json::array({"a", "b"}))), HasSubstr("another audience"));
  EXPECT_THAT(Verify(With("aud", Json::array({"a", "arka"}))), IsOk());
}

TEST_F(JsonWebTokenTest, ThePrincipalIsTheClaimOfTheConfiguration) {
  for (const Json& bad : {Json(nullptr), Json(7), Json(""), Json("a\nb"), Json(Json::object())}) {
    EXPECT_THAT(Refusal(With("sub", bad)), HasSubstr("names no principal"));
  }
  JwtRules by_client = rules_;
  by_client.principal_claim = "client_id";
  EXPECT_EQ(VerifyJwt(With("client_id", "svc"), keys_, by_client, kNowTime)->principal, "svc");
}

TEST_F(JsonWebTokenTest, WhatIsNotOneIsRefused) {
  Json critical = Header();
  critical["crit"] = Json::array({"b64"});
  EXPECT_THAT(Refusal(signer_.Sign(critical, Claims())), HasSubstr("critical"));
  for (const std::string& text : {std::string("a.b"), std::string("a.b.c.d"), std::string(".."),
                                  std::string("e30.e30.e30"), std::string(20'000, 'a') + ".b.c"}) {
    EXPECT_FALSE(Verify(text).ok());
  }
}

TEST(JsonWebKeys, OnesThatAreTooWeakOrBrokenAreSaid) {
  const auto error = [](const std::string& text) {
    return ParseJsonWebKeys(text).status().message();
  };
  EXPECT_THAT(error(Json({{"keys", {Signer::Rsa(1024).Jwk("weak")}}}).dump()),
              HasSubstr("key 'weak' is RSA of 1024 bits"));
  EXPECT_THAT(error(Signer::Rsa(1024).Pem()), HasSubstr("1024 bits"));
  Json off_the_curve = Signer::P256().Jwk("off");
  off_the_curve["x"] = EncodeBase64Url(std::string(32, '\1'));
  EXPECT_THAT(error(Json({{"keys", {off_the_curve}}}).dump()), HasSubstr("key 'off' is no EC key"));
  EXPECT_THAT(error("{}"), HasSubstr("neither a JSON Web Key Set"));
  EXPECT_THAT(error(R"({"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]})"),
              HasSubstr("no public key"));
  EXPECT_THAT(error("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"),
              HasSubstr("no public key"));
}

TEST(JsonWebKeys, KeysOfOtherKindsAndUsesAreLeftOut) {
  const Signer ours = Signer::Ed25519();
  Json for_encryption = Signer::Rsa().Jwk("enc");
  for_encryption["use"] = "enc";
  Json of_another_algorithm = Signer::Rsa().Jwk("ps");
  of_another_algorithm["alg"] = "PS256";
  const auto keys = KeySet({for_encryption,
                            of_another_algorithm,
                            {{"kty", "EC"}, {"crv", "P-521"}, {"kid", "x"}},
                            ours.Jwk("ours")});
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].id, "ours");
}

}  // namespace
}  // namespace arka::auth
