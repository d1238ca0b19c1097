// The conformance suite on the real disk and, where ARKA_TEST_S3_ENDPOINT names a server, on S3:
// ARKA_TEST_S3_ENDPOINT=http://127.0.0.1:PORT, with ARKA_TEST_S3_{BUCKET,ACCESS_KEY,SECRET_KEY}.

#include "arka/io/object_stores.h"

#include <cstdlib>

#include "arka/io/os_random.h"
#include "arka/io/posix_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/object_store_conformance.h"
#include "arka/testing/temp_directory.h"

namespace arka {
namespace {

std::string EnvironmentOr(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::string S3Endpoint() { return EnvironmentOr("ARKA_TEST_S3_ENDPOINT", ""); }
std::string S3Bucket() { return EnvironmentOr("ARKA_TEST_S3_BUCKET", "arka-test"); }

ObjectStoreOptions S3Options() {
  return {.endpoint = S3Endpoint(),
          .access_key = EnvironmentOr("ARKA_TEST_S3_ACCESS_KEY", "k"),
          .secret_key = EnvironmentOr("ARKA_TEST_S3_SECRET_KEY", "s")};
}

class DiskUnderTest final : public ObjectStoreUnderTest {
 public:
  ObjectStore& store() override { return *store_; }

 private:
  TempDirectory directory_;
  PosixFs fs_;
  OsRandom random_;
  std::unique_ptr<ObjectStore> store_ =
      OpenObjectStore("file://" + directory_.path() + "/objects", {}, fs_, random_).ValueOrDie();
};

class S3UnderTest final : public ObjectStoreUnderTest {
 public:
  ObjectStore& store() override { return *store_; }

 private:
  PosixFs fs_;
  OsRandom random_;
  std::unique_ptr<ObjectStore> store_ =
      OpenObjectStore("s3://" + S3Bucket() + "/test-" + MakeUuid(random_), S3Options(), fs_,
                      random_)
          .ValueOrDie();
};

std::unique_ptr<ObjectStoreUnderTest> MakeS3UnderTest() {
  return S3Endpoint().empty() ? nullptr : std::make_unique<S3UnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Disk, ObjectStoreConformance,
                         testing::Values([] { return std::make_unique<DiskUnderTest>(); }));
INSTANTIATE_TEST_SUITE_P(S3, ObjectStoreConformance, testing::Values(MakeS3UnderTest));

/// Stops the S3 library when all tests are done, as main() does.
class S3Library final : public testing::Environment {
 public:
  void TearDown() override { EXPECT_THAT(FinalizeObjectStores(), IsOk()); }
};
const auto* const kS3Library = testing::AddGlobalTestEnvironment(new S3Library);

class OpenObjectStoreTest : public testing::Test {
 protected:
  Result<std::unique_ptr<ObjectStore>> Open(std::string_view uri, ObjectStoreOptions options = {}) {
    return OpenObjectStore(uri, options, fs_, random_);
  }
  void PutOne(ObjectStore& store, ErrorCode expected) {
    const std::vector parts = {arrow::Buffer::FromString("x")};
    EXPECT_THAT(store.Put("object", parts), FailsWith(expected));
  }

  TempDirectory directory_;
  PosixFs fs_;
  OsRandom random_;
};

TEST_F(OpenObjectStoreTest, WritesFileUrisWithThreeSlashesAndReadsThemWithOne) {
  const auto store = Open("file:" + directory_.path() + "/a/../b/").ValueOrDie();
  EXPECT_EQ(store->Uri("k"), "file://" + directory_.path() + "/b/k");
  EXPECT_EQ(store->KeyOf("file:" + directory_.path() + "/b/k").ValueOrDie(), "k");
  EXPECT_EQ(store->KeyOf("file://" + directory_.path() + "/b/k").ValueOrDie(), "k");
}

TEST_F(OpenObjectStoreTest, RefusesOtherUris) {
  for (const char* uri : {"", "/tmp/x", "gs://bucket/x", "s3:bucket", "file://", "file:///",
                          "s3://", "s3://b/../c", "s3://b//c"}) {
    SCOPED_TRACE(uri);
    EXPECT_THAT(Open(uri), FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST_F(OpenObjectStoreTest, AnAccessKeyNeedsItsSecret) {
  EXPECT_THAT(Open("s3://bucket", {.access_key = "k"}), FailsWith(ErrorCode::kInvalidRequest));
}

TEST_F(OpenObjectStoreTest, AnS3ServerThatIsNotThereFailsTheCallInBoundedTime) {
  // Port 1 of the loopback interface refuses connections.
  const auto store = Open("s3://bucket/x",
                          {.endpoint = "http://127.0.0.1:1", .access_key = "k", .secret_key = "s"})
                         .ValueOrDie();
  PutOne(*store, ErrorCode::kIoFailed);
}

TEST_F(OpenObjectStoreTest, S3TellsWrongCredentialsFromAMissingBucket) {
  if (S3Endpoint().empty()) GTEST_SKIP() << "ARKA_TEST_S3_ENDPOINT is not set";
  ObjectStoreOptions wrong_secret = S3Options();
  wrong_secret.secret_key = "wrong";
  PutOne(*Open("s3://" + S3Bucket(), wrong_secret).ValueOrDie(), ErrorCode::kUnauthenticated);
  ObjectStoreOptions wrong_key = S3Options();
  wrong_key.access_key = "nobody";
  PutOne(*Open("s3://" + S3Bucket(), wrong_key).ValueOrDie(), ErrorCode::kUnauthenticated);
  PutOne(*Open("s3://no-such-bucket-here", S3Options()).ValueOrDie(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace arka
