# The installed package: find_package(astd) gives astd::astd and astd::main.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(astd_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/astd")

install(TARGETS astd astd_main EXPORT astdTargets FILE_SET HEADERS)
install(EXPORT astdTargets NAMESPACE astd:: DESTINATION "${astd_package_dir}")

# A static library hands its private liburing on to whoever links it.
get_target_property(astd_type astd TYPE)
set(ASTD_LINKS_LIBURING FALSE)
if(ASTD_HAS_URING AND astd_type STREQUAL "STATIC_LIBRARY")
  set(ASTD_LINKS_LIBURING TRUE)
endif()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/astdConfig.cmake.in" "${PROJECT_BINARY_DIR}/astdConfig.cmake"
                              INSTALL_DESTINATION "${astd_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/astdConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/astdConfig.cmake" "${PROJECT_BINARY_DIR}/astdConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/FindLibUring.cmake" DESTINATION "${astd_package_dir}")
