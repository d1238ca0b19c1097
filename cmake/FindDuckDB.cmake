# DuckDB's C API as the imported target DuckDB::duckdb. A system DuckDB comes first; else the one
# that ./dev setup puts into .deps/duckdb.
find_library(DuckDB_LIBRARY NAMES duckdb HINTS ${CMAKE_SOURCE_DIR}/.deps/duckdb)
find_path(DuckDB_INCLUDE_DIR NAMES duckdb.h HINTS ${CMAKE_SOURCE_DIR}/.deps/duckdb)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "run ./dev setup")
if(DuckDB_FOUND AND NOT TARGET DuckDB::duckdb)
  add_library(DuckDB::duckdb SHARED IMPORTED)
  set_target_properties(DuckDB::duckdb PROPERTIES
    IMPORTED_LOCATION ${DuckDB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${DuckDB_INCLUDE_DIR})
endif()
