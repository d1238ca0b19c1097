# Every library Arka links, and the one flag set it is compiled with.
# Arrow: a system package first, else the pyarrow wheel in .venv (headers and shared objects).

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
find_package(PyarrowArrow REQUIRED)
find_package(DuckDB REQUIRED)

# Line tables are what a profile or a back-trace needs; full debug information doubles the build.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

add_library(arka_options INTERFACE)
target_compile_options(arka_options INTERFACE -Wall -Wextra -Werror -Wno-unused-parameter
                                              -fno-omit-frame-pointer)
target_include_directories(arka_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
# The wheel's libparquet exports a static OpenSSL. The system's must come first in the lookup
# order, so that our TLS binds to it alone; server/openssl_binding_test.cc checks that it does.
target_link_options(arka_options INTERFACE
                    -Wl,--no-as-needed ${OPENSSL_SSL_LIBRARY} ${OPENSSL_CRYPTO_LIBRARY}
                    -Wl,--as-needed)
find_program(MOLD mold)
if(MOLD)
  target_link_options(arka_options INTERFACE -fuse-ld=mold)
endif()
if(ARKA_SANITIZE)
  target_compile_options(arka_options INTERFACE -fsanitize=${ARKA_SANITIZE})
  target_link_options(arka_options INTERFACE -fsanitize=${ARKA_SANITIZE})
endif()
if(ARKA_COVERAGE)
  target_compile_options(arka_options INTERFACE --coverage)
  target_link_options(arka_options INTERFACE --coverage)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
