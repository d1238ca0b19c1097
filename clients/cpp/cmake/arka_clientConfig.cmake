# find_package(arka_client) gives the target arka::client. Needs Arrow and Arrow Flight: a system
# package, or those of a pyarrow wheel, whose folder is in ARKA_PYARROW_DIR.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
find_dependency(PyarrowArrow)
list(POP_FRONT CMAKE_MODULE_PATH)
include(${CMAKE_CURRENT_LIST_DIR}/arka_clientTargets.cmake)
