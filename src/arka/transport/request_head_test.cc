#include "arka/transport/request_head.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

RequestHead Head(const std::vector<std::pair<std::string, std::string>>& fields,
                 size_t limit_bytes = 1000) {
  RequestHead head;
  for (const auto& [name, value] : fields) head.Add(name, value, limit_bytes);
  return head;
}

TEST(RequestHead, TakesTheContentTypesOfGrpc) {
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc;x=1"}) {
    EXPECT_TRUE(IsGrpc(Head({{":method", "POST"}, {"content-type", type}}))) << type;
  }
  for (const char* type : {"application/grpc-web", "application/json", ""}) {
    EXPECT_FALSE(IsGrpc(Head({{":method", "POST"}, {"content-type", type}}))) << type;
  }
  EXPECT_FALSE(IsGrpc(Head({{":method", "GET"}, {"content-type", "application/grpc"}})));
}

TEST(RequestHead, KeepsNothingPastTheLimit) {
  const RequestHead head = Head({{":method", "POST"}, {"a", std::string(500, 'x')}}, 300);
  EXPECT_TRUE(head.too_large);
  EXPECT_TRUE(head.fields.empty());
  EXPECT_EQ(head.method, "POST");
}

TEST(RequestHead, DecodesBinaryMetadataAndItsJoinedValues) {
  RequestHead head = Head({{"x-bin", "Zg==, Zm8"}, {"y", "plain"}});
  Metadata metadata;
  ASSERT_TRUE(TakeMetadata(head, metadata));
  EXPECT_EQ(metadata, (Metadata{{"x-bin", "f"}, {"x-bin", "fo"}, {"y", "plain"}}));
}

TEST(RequestHead, RefusesBinaryMetadataThatIsNoBase64) {
  RequestHead head = Head({{"x-bin", "!"}});
  Metadata metadata;
  EXPECT_FALSE(TakeMetadata(head, metadata));
}

TEST(RequestHead, HidesWhatTheTransportActsOn) {
  RequestHead head = Head({{"te", "trailers"},
                           {"grpc-timeout", "1S"},
                           {"grpc-encoding", "identity"},
                           {"content-type", "application/grpc"},
                           {"user-agent", "x"}});
  Metadata metadata;
  ASSERT_TRUE(TakeMetadata(head, metadata));
  EXPECT_EQ(metadata, (Metadata{{"user-agent", "x"}}));
}

}  // namespace
}  // namespace arka::transport
